// RUN: not nc-opt %s 2>&1 | filecheck %s

// Every step has one payload.

func.func @main() {
  %0 = loihi.pulses steps [2, 2] payloads [1, 3] : tensor<1xi32>
  func.return
}

// CHECK: payloads [1, 3] at steps [2, 2]
