// RUN: not nc-opt %s 2>&1 | filecheck %s

// A source sends spikes.

func.func @main(%x: tensor<4x2xf32>) {
  %0 = loihi.source %x : tensor<4x2xf32> -> tensor<2xf32>
  func.return
}

// CHECK: expected i1 or i32 all along, found tensor<4x2xf32>
