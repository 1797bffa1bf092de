// RUN: not nc-opt %s 2>&1 | filecheck %s

// A convolution reads an image.

func.func @main(%x: tensor<2xi1>) {
  %0 = loihi.conv %x weight(dense<2> : tensor<3x3x3x2xi8>) sign_mode "mixed" : tensor<2xi1> -> tensor<3xi24>
  func.return
}

// CHECK: expected an image of rank 3 and a weight of rank 4, found (2,) and (3, 3, 3, 2)
