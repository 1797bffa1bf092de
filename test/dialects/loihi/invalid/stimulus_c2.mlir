// RUN: not nc-opt %s 2>&1 | filecheck %s

// Rows hold spikes.

func.func @main(%x: tensor<2xi8>) {
  %0 = loihi.stimulus %x factors [1] : tensor<2xi8> -> tensor<1x2xi8>
  func.return
}

// CHECK: expected spikes of integers
