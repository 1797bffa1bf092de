// RUN: nc-opt %s -p merge-residual --validate | filecheck %s

// The parameter-free shortcut of small residual networks: every second pixel, padded with channels of zeros.

func.func @main(%x: tensor<1x2x2xf32>) -> tensor<2x1x1xf32> {
  %0 = ann.conv2d %x weight(dense<0.5> : tensor<2x1x2x2xf32>) : tensor<1x2x2xf32> -> tensor<2x1x1xf32>
  %1 = ann.slice %x starts [0, 0, 0] stops [1, 2, 2] steps [1, 2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
  %2 = ann.pad %1 low [0, 0, 0] high [1, 0, 0] : tensor<1x1x1xf32> -> tensor<2x1x1xf32>
  %3 = ann.add %0, %2 : (tensor<2x1x1xf32>, tensor<2x1x1xf32>) -> tensor<2x1x1xf32>
  %4 = ann.relu %3 : tensor<2x1x1xf32> -> tensor<2x1x1xf32>
  func.return %4 : tensor<2x1x1xf32>
}

// CHECK:      %[[P:.*]] = ann.pad
// CHECK:      %[[D:.*]] = ann.diagonal %[[P]] weight(dense<1.000000e+00>
// CHECK:      ann.neuron %{{.*}}, %[[D]]
