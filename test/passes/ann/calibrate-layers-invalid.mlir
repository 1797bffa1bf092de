// RUN: not nc-opt %s -p calibrate-layers 2>&1 | filecheck %s
// RUN: not nc-opt %s -p 'calibrate-layers{steps="weights"}' 2>&1 | filecheck %s --check-prefix STEP
// RUN: not nc-opt %s -p 'calibrate-layers{timesteps=0}' 2>&1 | filecheck %s --check-prefix TIMESTEPS
// RUN: not nc-opt %s -p 'calibrate-layers{weight-bits=1}' 2>&1 | filecheck %s --check-prefix BITS
// RUN: not nc-opt %s -p 'calibrate-layers{code="unary"}' 2>&1 | filecheck %s --check-prefix CODE

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  func.return %x : tensor<1xf32>
}

// CHECK: calibrate-layers: the module names no calibration images
// STEP: step 'weights' is none of least-squares, rounding, bias, threshold, equalize, output-mean
// TIMESTEPS: timesteps must be 1 ... 32768, not 0
// BITS: weight-bits must be 2 ... 16, not 1
// CODE: code 'unary' is none of count, free
