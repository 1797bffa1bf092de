// RUN: not nc-opt %s -p 'choose-kernels{density=2.0}' 2>&1 | filecheck %s

// CHECK: choose-kernels: density 2.0 is no share of neurons, from 0 to 1

func.func @main() {
  func.return
}
