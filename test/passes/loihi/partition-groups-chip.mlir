// RUN: not nc-opt %s -p 'partition-groups{chip=loihi9}' 2>&1 | filecheck %s
// RUN: not nc-opt %s -p 'place-groups{chip=loihi9}' 2>&1 | filecheck %s
// RUN: nc-opt %s -p partition-groups,place-groups | filecheck %s --check-prefix NOTHING

// CHECK: target 'loihi' has no chip 'loihi9'; it has loihi2, loihi3
// NOTHING: func.return
func.func @main() {
  func.return
}
