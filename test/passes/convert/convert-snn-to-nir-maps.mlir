// RUN: nc-opt %s -p convert-snn-to-nir | filecheck %s

// NIR adds up what meets at a node, pools and flattens. All else becomes weights: groups, concatenations, slices,
// paddings, and kernels that reach further at one end. The maximum of spikes is whether their sum is positive.

func.func @main(%x: tensor<2x4x4x!snn.spikes<0, 1>>) -> tensor<8x!snn.spikes<0, 3>> {
  %y = snn.network code "unary" steps 3 inputs(%x) {
  ^bb0(%i: tensor<2x4x4x!snn.spikes<0, 1>>):
    %p = snn.input %i code "current" : tensor<2x4x4x!snn.spikes<0, 1>> -> tensor<2x4x4x!snn.spikes<0, 3>>
    %g = snn.conv2d %p weight(dense<[[[[1]]], [[[2]]]]> : tensor<2x1x1x1xi8>) groups 2 : tensor<2x4x4x!snn.spikes<0, 3>> -> tensor<2x4x4xi32>
    %s = snn.integrate_and_fire %g threshold(dense<1> : tensor<1xi32>) levels 3 : (tensor<2x4x4xi32>) -> tensor<2x4x4x!snn.spikes<0, 3>>
    %e = snn.slice %s starts [0, 0, 0] stops [2, 4, 4] steps [1, 2, 2] : tensor<2x4x4x!snn.spikes<0, 3>> -> tensor<2x2x2x!snn.spikes<0, 3>>
    %w = snn.pad %e low [1, 0, 0] high [1, 0, 0] : tensor<2x2x2x!snn.spikes<0, 3>> -> tensor<4x2x2x!snn.spikes<0, 3>>
    %u = snn.conv2d %s weight(dense<1> : tensor<2x2x3x3xi8>) stride [2, 2] padding [0, 1, 0, 1] : tensor<2x4x4x!snn.spikes<0, 3>> -> tensor<2x2x2xi32>
    %t = snn.integrate_and_fire %u threshold(dense<1> : tensor<1xi32>) levels 3 : (tensor<2x2x2xi32>) -> tensor<2x2x2x!snn.spikes<0, 3>>
    %m = snn.max_pool2d %s kernel [2, 2] stride [2, 2] : tensor<2x4x4x!snn.spikes<0, 3>> -> tensor<2x2x2x!snn.spikes<0, 3>>
    %j = snn.concat %t, %m axis 0 : (tensor<2x2x2x!snn.spikes<0, 3>>, tensor<2x2x2x!snn.spikes<0, 3>>) -> tensor<4x2x2x!snn.spikes<0, 3>>
    %one = snn.diagonal %j weight(dense<1> : tensor<1xi8>) : tensor<4x2x2x!snn.spikes<0, 3>> -> tensor<4x2x2xi32>
    %two = snn.diagonal %w weight(dense<2> : tensor<1xi8>) : tensor<4x2x2x!snn.spikes<0, 3>> -> tensor<4x2x2xi32>
    %r = snn.integrate_and_fire %one, %two threshold(dense<1> : tensor<1xi32>) levels 3 : (tensor<4x2x2xi32>, tensor<4x2x2xi32>) -> tensor<4x2x2x!snn.spikes<0, 3>>
    %q = snn.sum_pool2d %r kernel [2, 1] stride [2, 1] : tensor<4x2x2x!snn.spikes<0, 3>> -> tensor<4x1x2x!snn.graded<0, 6>>
    %f = snn.reshape %q : tensor<4x1x2x!snn.graded<0, 6>> -> tensor<8x!snn.graded<0, 6>>
    %h = snn.diagonal %f weight(dense<1> : tensor<1xi8>) : tensor<8x!snn.graded<0, 6>> -> tensor<8xi32>
    %o = snn.integrate_and_fire %h threshold(dense<2> : tensor<1xi32>) levels 3 : (tensor<8xi32>) -> tensor<8x!snn.spikes<0, 3>>
    snn.output %o : tensor<8x!snn.spikes<0, 3>>
  } : (tensor<2x4x4x!snn.spikes<0, 1>>) -> (tensor<8x!snn.spikes<0, 3>>)
  func.return %y : tensor<8x!snn.spikes<0, 3>>
}

// CHECK: nir.conv2d "conv2d"(%{{.*}}) weight(dense<{{\[\[\[\[}}1.000000e+00]], {{\[\[}}0.000000e+00]]], {{\[\[\[}}0.000000e+00]], {{\[\[}}2.000000e+00]]]]> : tensor<2x2x1x1xf32>)
// CHECK: %[[S:.*]] = nir.threshold "integrate_and_fire"(
// CHECK: %[[E:.*]] = nir.conv2d "slice"(%[[S]]) weight({{.*}}tensor<2x2x1x1xf32>) bias({{.*}}) stride [2, 2] :
// CHECK: %[[W:.*]] = nir.conv2d "pad"(%[[E]]) weight({{.*}}tensor<4x2x1x1xf32>)
// CHECK: nir.conv2d "conv2d_1"(%[[S]]) weight({{.*}}) bias({{.*}}) stride [2, 2] padding [1, 1] : (tensor<2x4x4x!snn.spikes<0, 3>>) -> tensor<2x2x2xf32>
// CHECK: %[[T:.*]] = nir.threshold "integrate_and_fire_1"(
// CHECK: %[[SUM:.*]] = nir.sum_pool2d "max_pool2d_sum"(%[[S]]) kernel_size [2, 2] stride [2, 2]
// CHECK: %[[M:.*]] = nir.threshold "max_pool2d"(%[[SUM]]) threshold(dense<5.000000e-01> :
// CHECK: %[[A:.*]] = nir.conv2d "concat"(%[[T]]) weight({{.*}}tensor<4x2x1x1xf32>)
// CHECK: %[[B:.*]] = nir.conv2d "concat_1"(%[[M]])
// CHECK: %[[TWO:.*]] = nir.scale "diagonal"(%[[W]]) scale(dense<2.000000e+00> :
// CHECK: nir.i "integrate_and_fire_2_membrane"(%[[A]], %[[B]], %[[TWO]], %{{.*}}) r(
// CHECK: %[[Q:.*]] = nir.sum_pool2d "sum_pool2d"(%{{.*}}) kernel_size [2, 1] stride [2, 1]
// CHECK: nir.flatten "reshape"(%[[Q]]) 0 to -1 :
