// RUN: not nc-opt %s 2>&1 | filecheck %s

// Pulses carry payloads.

func.func @main() {
  %0 = loihi.pulses steps [0] payloads [1] : tensor<1xi1>
  func.return
}

// CHECK: expected i32, found i1
