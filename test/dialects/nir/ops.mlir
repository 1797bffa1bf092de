// RUN: nc-opt %s | nc-opt | filecheck %s

// Every operation prints and parses. The last node is read by the first neuron, a step later.

func.func @main(%x: tensor<2x4x4xf32>, %e: tensor<?x2x6xf32>) -> tensor<?x8xf32> {
  %y = nir.graph "network" dt 0.0001 inputs(%x, %e) {
  ^bb0(%a: tensor<2x4x4xf32>, %b: tensor<?x2x6xf32>):
    %0 = nir.input "image"(%a) "always" : tensor<2x4x4xf32> -> tensor<2x4x4xf32>
    %1 = nir.input "events"(%b) "train" : tensor<?x2x6xf32> -> tensor<2x6xf32>
    %2 = nir.conv2d "conv"(%0) weight(dense<1.0> : tensor<2x1x3x3xf32>) bias(dense<0.0> : tensor<2xf32>) stride [1, 1] padding [1, 1] dilation [1, 1] groups 2 : (tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
    %3 = nir.if "fire"(%2) r(dense<1.0> : tensor<1xf32>) v_threshold(dense<1.0> : tensor<2x1x1xf32>) v_reset(dense<0.0> : tensor<1xf32>) scale(dense<0.5> : tensor<1xf64>) : (tensor<2x4x4xf32>) -> tensor<2x4x4x!snn.spikes<0, 1>>
    %4 = nir.sum_pool2d "sums"(%3) kernel_size [2, 2] stride [2, 2] : (tensor<2x4x4x!snn.spikes<0, 1>>) -> tensor<2x2x2xf32>
    %5 = nir.avg_pool2d "means"(%3) kernel_size [2, 2] stride [2, 2] padding [0, 0] : (tensor<2x4x4x!snn.spikes<0, 1>>) -> tensor<2x2x2xf32>
    %6 = nir.flatten "flat"(%4, %5) 0 to -1 : (tensor<2x2x2xf32>, tensor<2x2x2xf32>) -> tensor<8xf32>
    %7 = nir.lif "leaky"(%6, %15) tau(dense<0.1> : tensor<1xf32>) r(dense<1.0> : tensor<8xf32>) v_leak(dense<0.0> : tensor<1xf32>) v_threshold(dense<1.0> : tensor<1xf32>) v_reset(dense<0.0> : tensor<1xf32>) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8x!snn.spikes<0, 1>>
    %8 = nir.cuba_lif "currents"(%7) tau_syn(dense<0.1> : tensor<1xf32>) tau_mem(dense<0.1> : tensor<1xf32>) r(dense<1.0> : tensor<1xf32>) v_leak(dense<0.0> : tensor<1xf32>) w_in(dense<1.0> : tensor<1xf32>) v_threshold(dense<1.0> : tensor<1xf32>) v_reset(dense<0.0> : tensor<1xf32>) : (tensor<8x!snn.spikes<0, 1>>) -> tensor<8x!snn.spikes<0, 1>>
    %9 = nir.affine "affine"(%8) weight(dense<1.0> : tensor<8x8xf32>) bias(dense<0.0> : tensor<8xf32>) : (tensor<8x!snn.spikes<0, 1>>) -> tensor<8xf32>
    %10 = nir.linear "linear"(%9) weight(dense<1.0> : tensor<8x8xf32>) : (tensor<8xf32>) -> tensor<8xf32>
    %11 = nir.scale "scale"(%10) scale(dense<2.0> : tensor<8xf32>) : (tensor<8xf32>) -> tensor<8xf32>
    %12 = nir.li "membrane"(%11) tau(dense<0.1> : tensor<1xf32>) r(dense<1.0> : tensor<1xf32>) v_leak(dense<0.0> : tensor<1xf32>) : (tensor<8xf32>) -> tensor<8xf32>
    %13 = nir.cuba_li "filter"(%12) tau_syn(dense<0.1> : tensor<1xf32>) tau_mem(dense<0.1> : tensor<1xf32>) r(dense<1.0> : tensor<1xf32>) v_leak(dense<0.0> : tensor<1xf32>) w_in(dense<1.0> : tensor<1xf32>) : (tensor<8xf32>) -> tensor<8xf32>
    %14 = nir.threshold "compare"(%13) threshold(dense<0.5> : tensor<1xf32>) scale(dense<0.5> : tensor<1xf64>) : (tensor<8xf32>) -> tensor<8x!snn.spikes<0, 1>>
    %15 = nir.delay "later"(%14) delay(dense<0.0002> : tensor<1xf32>) : (tensor<8x!snn.spikes<0, 1>>) -> tensor<8xf32>
    %16 = nir.conv1d "along"(%1) weight(dense<1.0> : tensor<2x1x3xf32>) bias(dense<0.0> : tensor<2xf32>) stride 1 padding 1 dilation 2 groups 2 : (tensor<2x6xf32>) -> tensor<2x4xf32>
    %17 = nir.flatten "row"(%16) 0 to 1 : (tensor<2x4xf32>) -> tensor<8xf32>
    %18 = nir.i "sum"(%15, %17) r(dense<1.0> : tensor<1xf32>) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
    nir.output %18 "train" : tensor<8xf32>
  } : (tensor<2x4x4xf32>, tensor<?x2x6xf32>) -> (tensor<?x8xf32>)
  func.return %y : tensor<?x8xf32>
}

// CHECK: nir.graph "network" dt 1.000000e-04 : f64 inputs(
// CHECK: nir.input "image"(%{{.*}}) "always" :
// CHECK: nir.input "events"(%{{.*}}) "train" : tensor<?x2x6xf32> -> tensor<2x6xf32>
// CHECK: nir.conv2d "conv"(%{{.*}}) weight({{.*}}) bias({{.*}}) padding [1, 1] groups 2 :
// CHECK: nir.if "fire"(%{{.*}}) r({{.*}}) v_threshold({{.*}}) v_reset({{.*}}) scale({{.*}}) :
// CHECK: nir.sum_pool2d "sums"(%{{.*}}) kernel_size [2, 2] stride [2, 2] :
// CHECK: nir.avg_pool2d "means"
// CHECK: nir.flatten "flat"(%{{.*}}, %{{.*}}) 0 to -1 :
// CHECK: nir.lif "leaky"(%{{.*}}, %[[LATER:.*]]) tau({{.*}}) r({{.*}}) v_leak({{.*}}) v_threshold({{.*}}) v_reset({{.*}}) :
// CHECK: nir.cuba_lif "currents"(%{{.*}}) tau_syn({{.*}}) tau_mem({{.*}}) r({{.*}}) v_leak({{.*}}) w_in({{.*}}) v_threshold(
// CHECK: nir.affine "affine"(%{{.*}}) weight({{.*}}) bias({{.*}}) :
// CHECK: nir.linear "linear"(%{{.*}}) weight({{.*}}) :
// CHECK: nir.scale "scale"(%{{.*}}) scale({{.*}}) :
// CHECK: nir.li "membrane"(%{{.*}}) tau({{.*}}) r({{.*}}) v_leak({{.*}}) :
// CHECK: nir.cuba_li "filter"(%{{.*}}) tau_syn({{.*}}) tau_mem({{.*}}) r({{.*}}) v_leak({{.*}}) w_in({{.*}}) :
// CHECK: nir.threshold "compare"(%{{.*}}) threshold({{.*}}) scale({{.*}}) :
// CHECK: %[[LATER]] = nir.delay "later"(%{{.*}}) delay({{.*}}) :
// CHECK: nir.conv1d "along"(%{{.*}}) weight({{.*}}) bias({{.*}}) padding 1 dilation 2 groups 2 :
// CHECK: nir.i "sum"(%[[LATER]], %{{.*}}) r({{.*}}) :
// CHECK: nir.output %{{.*}} "train" : tensor<8xf32>
