// RUN: not nc-opt %s -p 'quantize-neurons{state-bits=31}' 2>&1 | filecheck %s

// A sum of two states has to fit 32 bits.

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  func.return %x : tensor<1xf32>
}

// CHECK: quantize-neurons: state-bits must be 2 ... 30, not 31
