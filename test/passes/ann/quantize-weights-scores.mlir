// RUN: nc-opt %s -p quantize-weights | filecheck %s

// A softmax takes products as they are: there is no unit to choose, only how many make two steps of the table.

func.func @main(%x: tensor<2x2x!ann.count<-4, 4>>) -> tensor<2x2x!ann.count<0, 14>> {
  %0 = ann.matrix_product %x, %x : (tensor<2x2x!ann.count<-4, 4>>, tensor<2x2x!ann.count<-4, 4>>) -> tensor<2x2xi32>
  %1 = ann.integer_softmax %0 divisor(dense<2.0> : tensor<1xf32>) table(dense<[64, 32, 16, 8, 4, 0]> : tensor<6xi32>) levels 14 : (tensor<2x2xi32>) -> tensor<2x2x!ann.count<0, 14>>
  func.return %1 : tensor<2x2x!ann.count<0, 14>>
}

// CHECK: ann.integer_softmax %0 divisor(dense<4> : tensor<1xi32>) table(dense<[64, 16, 4, 0]> : tensor<4xi32>) levels 14
