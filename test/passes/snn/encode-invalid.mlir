// RUN: not nc-opt %s -p encode-unary 2>&1 | filecheck %s
// RUN: not nc-opt %s -p encode-free 2>&1 | filecheck %s --check-prefix FREE

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  func.return %x : tensor<1xf32>
}

// CHECK: encode-unary has nothing to say in spikes
// FREE: encode-free has nothing to say in spikes
