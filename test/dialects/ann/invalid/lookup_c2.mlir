// RUN: not nc-opt %s 2>&1 | filecheck %s

// Neurons say integers in a range.

func.func @main(%x: tensor<2xi32>) {
  %r = ann.lookup %x threshold(dense<1> : tensor<1xi32>) clip 0 to 3 : (tensor<2xi32>) -> tensor<2xi32>
  func.return
}

// CHECK: expected integers in a range, found i32
