// RUN: nc-opt %s --split-input-file -p hoist-activations --validate | filecheck %s

// A clip range per channel stays with its channel: past poolings.

// CHECK-LABEL: @pooled
// CHECK-NEXT: ann.relu %x {nc.clip = dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>, nc.trained}
// CHECK-NEXT: ann.max_pool2d
func.func @pooled(%x: tensor<2x2x2xf32>) -> tensor<2x1x1xf32> {
  %0 = ann.max_pool2d %x kernel [2, 2] : tensor<2x2x2xf32> -> tensor<2x1x1xf32>
  %1 = ann.relu %0 {nc.clip = dense<[1.0, 2.0]> : tensor<2xf32>, nc.trained} : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  func.return %1 : tensor<2x1x1xf32>
}

// -----

// And past reshapes that give every channel of theirs one range.

// CHECK-LABEL: @flattened
// CHECK-NEXT: ann.relu %x {nc.clip = dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>, nc.trained}
// CHECK-NEXT: ann.reshape
func.func @flattened(%x: tensor<2x1x2xf32>) -> tensor<4xf32> {
  %0 = ann.reshape %x : tensor<2x1x2xf32> -> tensor<4xf32>
  %1 = ann.relu %0 {nc.clip = dense<[1.0, 1.0, 2.0, 2.0]> : tensor<4xf32>, nc.trained} : tensor<4xf32> -> tensor<4xf32>
  func.return %1 : tensor<4xf32>
}

// -----

// Not past one that would give a channel several.

// CHECK-LABEL: @mixed
// CHECK-NEXT: ann.reshape %x
// CHECK-NEXT: ann.relu
func.func @mixed(%x: tensor<2x1x2xf32>) -> tensor<4xf32> {
  %0 = ann.reshape %x : tensor<2x1x2xf32> -> tensor<4xf32>
  %1 = ann.relu %0 {nc.clip = dense<[1.0, 2.0, 2.0, 2.0]> : tensor<4xf32>, nc.trained} : tensor<4xf32> -> tensor<4xf32>
  func.return %1 : tensor<4xf32>
}

// -----

// Nor past a map that picks channels.

// CHECK-LABEL: @padded
// CHECK-NEXT: ann.pad %x
// CHECK-NEXT: ann.relu
func.func @padded(%x: tensor<1xf32>) -> tensor<2xf32> {
  %0 = ann.pad %x low [0] high [1] : tensor<1xf32> -> tensor<2xf32>
  %1 = ann.relu %0 {nc.clip = dense<[1.0, 2.0]> : tensor<2xf32>, nc.trained} : tensor<2xf32> -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// -----

// One range for all goes anywhere.

// CHECK-LABEL: @single
// CHECK-NEXT: ann.relu %x {nc.clip = dense<2.000000e+00> : tensor<1xf32>, nc.trained}
// CHECK-NEXT: ann.pad
func.func @single(%x: tensor<1xf32>) -> tensor<2xf32> {
  %0 = ann.pad %x low [0] high [1] : tensor<1xf32> -> tensor<2xf32>
  %1 = ann.relu %0 {nc.clip = dense<2.0> : tensor<1xf32>, nc.trained} : tensor<2xf32> -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}
