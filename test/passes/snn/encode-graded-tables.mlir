// RUN: nc-opt %s -p encode-graded,verify-schedule --validate | filecheck %s

// A table layer speaks at the one step after all that it hears. The weights of an attention speak after the values that
// they weigh, so the values are held back: both factors of a product speak at one step.

func.func @main(%x: tensor<3x2x!ann.count<-8, 7>>) -> tensor<3x2xi32> {
  %y = snn.network code "count" steps 1 inputs(%x) {
  ^bb0(%i: tensor<3x2x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<3x2x!ann.count<-8, 7>> -> tensor<3x2x!ann.count<-8, 7>>
    %1 = snn.linear %0 weight(dense<[[5, -3], [2, 4]]> : tensor<2x2xi8>) : tensor<3x2x!ann.count<-8, 7>> -> tensor<3x2xi32>
    %2 = snn.layer_norm %1 gain(dense<500> : tensor<1xi32>) shift(dense<128> : tensor<1xi32>) epsilon 9 : i64 : (tensor<3x2xi32>) -> tensor<3x2x!ann.count<-4, 4>>
    %3 = snn.linear %0 weight(dense<[[3, 1], [-2, 6]]> : tensor<2x2xi8>) : tensor<3x2x!ann.count<-8, 7>> -> tensor<3x2xi32>
    %4 = snn.lookup %3 threshold(dense<5> : tensor<1xi32>) initial(dense<2> : tensor<1xi32>) clip -2 to 2 table(dense<[-6, -1, 0, 5, 6]> : tensor<5xi8>) : (tensor<3x2xi32>) -> tensor<3x2x!ann.count<-6, 6>>
    %5 = snn.transpose %4 permutation [1, 0] : tensor<3x2x!ann.count<-6, 6>> -> tensor<2x3x!ann.count<-6, 6>>
    %6 = snn.matrix_product %2, %5 : (tensor<3x2x!ann.count<-4, 4>>, tensor<2x3x!ann.count<-6, 6>>) -> tensor<3x3xi32>
    %7 = snn.softmax %6 divisor(dense<4> : tensor<1xi32>) table(dense<[64, 32, 16, 8]> : tensor<4xi16>) levels 15 : (tensor<3x3xi32>) -> tensor<3x3x!ann.count<0, 15>>
    %8 = snn.matrix_product %7, %4 : (tensor<3x3x!ann.count<0, 15>>, tensor<3x2x!ann.count<-6, 6>>) -> tensor<3x2xi32>
    %9 = snn.accumulate %8 : (tensor<3x2xi32>) -> tensor<3x2xi32>
    snn.output %9 : tensor<3x2xi32>
  } : (tensor<3x2x!ann.count<-8, 7>>) -> (tensor<3x2xi32>)
  func.return %y : tensor<3x2xi32>
}

// CHECK:      snn.network code "graded" steps 3 interval 2
// CHECK:        snn.layer_norm {{.*}} fire [1, 2] : (tensor<3x2xi32>) -> tensor<3x2x!snn.graded<-4, 4>>
// CHECK:        [[VALUES:%.*]] = snn.lookup {{.*}} fire [1, 2] : (tensor<3x2xi32>) -> tensor<3x2x!snn.graded<-6, 6>>
// CHECK:        snn.matrix_product {{.*}} : (tensor<3x2x!snn.graded<-4, 4>>, tensor<2x3x!snn.graded<-6, 6>>) -> tensor<3x3xi32>
// CHECK:        snn.softmax {{.*}} levels 15 fire [2, 3] : (tensor<3x3xi32>) -> tensor<3x3x!snn.graded<0, 15>>
// CHECK-NEXT:   [[LATE:%.*]] = snn.delay [[VALUES]] steps 1
// CHECK-NEXT:   snn.matrix_product {{.*}}, [[LATE]]
