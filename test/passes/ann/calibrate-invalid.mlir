// RUN: not nc-opt %s -p calibrate 2>&1 | filecheck %s
// RUN: not nc-opt %s -p 'calibrate{images="absent.npz"}' 2>&1 | filecheck %s --check-prefix ABSENT

func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
  func.return %x : tensor<1xf32>
}

// CHECK: error: calibrate: no images
// ABSENT: error: absent.npz: cannot read arrays
