// RUN: nc-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: nc-opt %s --print-debuginfo | filecheck %s --check-prefix=LOCATIONS
// RUN: nc-opt %s --print-debuginfo | nc-opt --print-debuginfo | filecheck %s --check-prefix=LOCATIONS

// GENERIC: "func.func"() <{
// GENERIC: %y = "ann.relu"(%x) : (tensor<4xf32>) -> tensor<4xf32>

// LOCATIONS: ann.relu {{.*}} loc("layer1.relu"("model.py":31:0))
// LOCATIONS: ann.relu {{.*}} loc("{{.*}}printing.mlir":[[LINE:[0-9]+]]:3)
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = ann.relu %x : tensor<4xf32> -> tensor<4xf32> loc("layer1.relu"("model.py":31:0))
  %z = ann.relu %y : tensor<4xf32> -> tensor<4xf32>
  func.return %z : tensor<4xf32>
}
