// RUN: not nc-opt %s -p convert-snn-to-cpu 2>&1 | filecheck %s

// Everything that cannot be lowered is listed at once, with the reason and what to do.

func.func @main(%x: tensor<2x4x4xi32>) -> tensor<2x4x4xi32> {
  %y = snn.network code "free" steps 8 inputs(%x) {
  ^bb0(%i: tensor<2x4x4xi32>):
    %p = snn.input %i : tensor<2x4x4xi32> -> tensor<2x4x4xi32>
    %c = snn.diagonal %p weight(dense<2> : tensor<1xi8>) : tensor<2x4x4xi32> -> tensor<2x4x4xi32>
    %s = snn.integrate_and_fire %c threshold(dense<0> : tensor<1xi32>) spikes_per_step 2 {nc.origin = "wide"} : (tensor<2x4x4xi32>) -> tensor<2x4x4x!snn.spikes<0, 8>>
    %b = snn.conv2d %s weight(dense<1> : tensor<2x2x1x1xi8>) bias(dense<1> : tensor<2xi32>) : tensor<2x4x4x!snn.spikes<0, 8>> -> tensor<2x4x4xi32>
    %t = snn.integrate_and_fire %b threshold(dense<1.5> : tensor<1xf32>) {nc.origin = "mixed"} : (tensor<2x4x4xi32>) -> tensor<2x4x4x!snn.spikes<0, 8>>
    %m = snn.max_pool2d %t kernel [1, 1] padding [1, 1, 1, 1] : tensor<2x4x4x!snn.spikes<0, 8>> -> tensor<2x6x6x!snn.spikes<0, 8>>
    %q = snn.slice %m starts [0, 1, 1] stops [2, 5, 5] steps [1, 1, 1] : tensor<2x6x6x!snn.spikes<0, 8>> -> tensor<2x4x4x!snn.spikes<0, 8>>
    %l = snn.diagonal %q weight(dense<1> : tensor<1xi8>) : tensor<2x4x4x!snn.spikes<0, 8>> -> tensor<2x4x4xi32>
    %a = snn.accumulate %l bias(dense<1000000000> : tensor<1xi32>) {nc.origin = "sum"} : (tensor<2x4x4xi32>) -> tensor<2x4x4xi32>
    snn.output %a : tensor<2x4x4xi32>
  } : (tensor<2x4x4xi32>) -> (tensor<2x4x4xi32>)
  func.return %y : tensor<2x4x4xi32>
}

// CHECK: the network cannot be lowered to the CPU:
// CHECK: `snn.integrate_and_fire`{{.*}}: its membrane potential may lie anywhere in -4294967296 ... 4294967294, which leaves 32 bits. Use fewer timesteps or narrower weights.
// CHECK: `snn.integrate_and_fire`{{.*}}: a threshold is not positive
// CHECK: `snn.conv2d`{{.*}}: it has a bias
// CHECK: `snn.integrate_and_fire`{{.*}}: integers and floats meet in its membrane
// CHECK: `snn.max_pool2d`{{.*}}: a window holds nothing but padding
// CHECK: `snn.accumulate`{{.*}}: its membrane potential may lie anywhere in 0 ... 8000000008
