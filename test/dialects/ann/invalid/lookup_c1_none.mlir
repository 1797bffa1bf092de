// RUN: not nc-opt %s 2>&1 | filecheck %s

// A layer has at least one current.

func.func @main() {
  %r = ann.lookup threshold(dense<1> : tensor<1xi32>) clip 0 to 3 : () -> tensor<2x!ann.count<0, 3>>
  func.return
}

// CHECK: at least one current is needed
