// RUN: not nc-opt %s 2>&1 | filecheck %s

// A convolution reads width, height and channels; kernels are (out, width, height, in).

func.func @main(%x: tensor<2x5x4xi1>) {
  %0 = loihi.conv %x weight(dense<2> : tensor<3x3x3x2xi8>) sign_mode "mixed" : tensor<2x5x4xi1> -> tensor<3x3x2xi24>
  func.return
}

// CHECK: a window of 3 does not fit into 2 with padding 0 and 0
