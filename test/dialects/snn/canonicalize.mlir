// RUN: nc-opt %s -p canonicalize | filecheck %s

// Index maps of spikes simplify as those of floats do.

func.func @main(%x: tensor<2x3x!ann.count<0, 4>>) -> tensor<6x!ann.count<0, 4>> {
  %0 = snn.reshape %x : tensor<2x3x!ann.count<0, 4>> -> tensor<3x2x!ann.count<0, 4>>
  %1 = snn.transpose %0 permutation [0, 1] : tensor<3x2x!ann.count<0, 4>> -> tensor<3x2x!ann.count<0, 4>>
  %2 = snn.reshape %1 : tensor<3x2x!ann.count<0, 4>> -> tensor<6x!ann.count<0, 4>>
  func.return %2 : tensor<6x!ann.count<0, 4>>
}

// CHECK:      @main
// CHECK-NEXT: snn.reshape %x : tensor<2x3x!ann.count<0, 4>> -> tensor<6x!ann.count<0, 4>>
// CHECK-NEXT: func.return
