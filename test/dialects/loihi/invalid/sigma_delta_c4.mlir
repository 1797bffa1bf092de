// RUN: not nc-opt %s -p 'verify-level{level=loihi}' 2>&1 | filecheck %s

// The bias has 16 bits.

func.func @main(%x: tensor<2xi24>) {
  %0, %1 = loihi.sigma_delta %x vth 3 bias(dense<32768> : tensor<1xi32>) : (tensor<2xi24>) -> tensor<2xi32>, tensor<2xi24>
  func.return
}

// CHECK: its bias leaves -32768 ... 32767: 32768.
