// RUN: nc-opt %s --load-plugin %S/Inputs/plugin.py -p plugin-grow --validate --elide | filecheck %s
// RUN: not nc-opt %s --load-plugin %S/Inputs/plugin.py -p plugin-lie --validate 2>&1 | filecheck %s --check-prefix=LIE
// RUN: nc-opt %s --load-plugin %S/Inputs/plugin.py -p plugin-lie | filecheck %s --check-prefix=UNCHECKED

// CHECK: plugin.large = dense_resource<large_
// LIE: nc-opt: error: plugin-lie changed {{.*}} (layer1.relu, model.py:31)
// UNCHECKED: ann.tanh
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = ann.relu %x : tensor<4xf32> -> tensor<4xf32> loc("layer1.relu"("model.py":31:0))
  func.return %y : tensor<4xf32>
}
