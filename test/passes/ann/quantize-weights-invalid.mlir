// RUN: not nc-opt %s -p 'quantize-weights{weight-bits=1}' 2>&1 | filecheck %s
// RUN: not nc-opt %s -p 'quantize-weights{weight-bits=17}' 2>&1 | filecheck %s --check-prefix WIDE

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  func.return %x : tensor<1xf32>
}

// CHECK: weight-bits must be 2 ... 16, not 1
// WIDE: weight-bits must be 2 ... 16, not 17
