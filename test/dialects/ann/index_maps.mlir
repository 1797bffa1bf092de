// RUN: nc-opt %s | nc-opt | filecheck %s

// Index maps print and parse, over floats and counts; a concatenation's range holds all of its parts.

func.func @main(%x: tensor<2x3xf32>, %m: tensor<1x!ann.count<0, 3>>, %n: tensor<2x!ann.count<-4, 1>>) {
  // CHECK:      ann.reshape %x : tensor<2x3xf32> -> tensor<6xf32>
  %0 = ann.reshape %x : tensor<2x3xf32> -> tensor<6xf32>
  // CHECK-NEXT: ann.transpose %x permutation [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
  %1 = ann.transpose %x permutation [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
  // CHECK-NEXT: ann.slice %x starts [1, 0] stops [2, 3] steps [1, 2] : tensor<2x3xf32> -> tensor<1x2xf32>
  %2 = ann.slice %x starts [1, 0] stops [2, 3] steps [1, 2] : tensor<2x3xf32> -> tensor<1x2xf32>
  // CHECK-NEXT: ann.pad %x low [1, 0] high [0, 2] : tensor<2x3xf32> -> tensor<3x5xf32>
  %3 = ann.pad %x low [1, 0] high [0, 2] : tensor<2x3xf32> -> tensor<3x5xf32>
  // CHECK-NEXT: ann.concat %x, %x axis 1 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
  %4 = ann.concat %x, %x axis 1 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
  // CHECK-NEXT: ann.concat %m, %n axis 0 : (tensor<1x!ann.count<0, 3>>, tensor<2x!ann.count<-4, 1>>) -> tensor<3x!ann.count<-4, 3>>
  %5 = ann.concat %m, %n axis 0 : (tensor<1x!ann.count<0, 3>>, tensor<2x!ann.count<-4, 1>>) -> tensor<3x!ann.count<-4, 3>>
  func.return
}
