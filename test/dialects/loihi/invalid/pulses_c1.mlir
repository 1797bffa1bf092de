// RUN: not nc-opt %s 2>&1 | filecheck %s

// Pulses are one neuron's.

func.func @main() {
  %0 = loihi.pulses steps [0] payloads [1] : tensor<2xi32>
  func.return
}

// CHECK: expected a result of shape (1,)
