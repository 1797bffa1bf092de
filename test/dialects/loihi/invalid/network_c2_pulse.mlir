// RUN: not nc-opt %s 2>&1 | filecheck %s

// No pulse comes behind the last step.

func.func @main() {
  loihi.network steps 3 inputs() {
    %0 = loihi.pulses steps [3] payloads [1] : tensor<1xi32>
    loihi.output
  } : () -> ()
  func.return
}

// CHECK: a pulse comes at step 3 of 3
