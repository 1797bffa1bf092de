// RUN: not nc-opt %s -p convert-snn-to-nir 2>&1 | filecheck %s

// Everything that NIR cannot say is listed at once, with the reason and what to do.

func.func @main(%x: tensor<2x4x4xi32>) -> tensor<2x4x4xi32> {
  %y = snn.network code "free" steps 8 inputs(%x) {
  ^bb0(%i: tensor<2x4x4xi32>):
    %p = snn.input %i : tensor<2x4x4xi32> -> tensor<2x4x4xi32>
    %c = snn.diagonal %p weight(dense<2> : tensor<1xi8>) : tensor<2x4x4xi32> -> tensor<2x4x4xi32>
    %s = snn.integrate_and_fire %c threshold(dense<1> : tensor<1xi32>) levels 4 spikes_per_step 2 refractory 1 membrane_decay(dense<0.5> : tensor<1xf32>) {nc.origin = "wide"} : (tensor<2x4x4xi32>) -> tensor<2x4x4x!snn.graded<0, 8>>
    %k = snn.conv2d %s weight(dense<1> : tensor<2x2x1x2xi8>) : tensor<2x4x4x!snn.graded<0, 8>> -> tensor<2x4x3xi32>
    %z = snn.integrate_and_fire %c threshold(dense<1> : tensor<1xi32>) reset "zero" fire [2, 4] : (tensor<2x4x4xi32>) -> tensor<2x4x4x!snn.spikes<0, 8>>
    %m = snn.running_max_pool2d %z kernel [1, 1] : tensor<2x4x4x!snn.spikes<0, 8>> -> tensor<2x4x4x!snn.spikes<0, 8>>
    %n = snn.max_pool2d %s kernel [1, 1] : tensor<2x4x4x!snn.graded<0, 8>> -> tensor<2x4x4x!snn.graded<0, 8>>
    %u = snn.sum_pool2d %m kernel [1, 2] padding [0, 0, 0, 1] : tensor<2x4x4x!snn.spikes<0, 8>> -> tensor<2x4x4x!snn.graded<0, 16>>
    %v = snn.concat %u, %n axis 1 : (tensor<2x4x4x!snn.graded<0, 16>>, tensor<2x4x4x!snn.graded<0, 8>>) -> tensor<2x8x4x!snn.graded<0, 16>>
    %w = snn.slice %v starts [0, 1, 0] stops [2, 5, 4] steps [1, 1, 1] : tensor<2x8x4x!snn.graded<0, 16>> -> tensor<2x4x4x!snn.graded<0, 16>>
    %t = snn.transpose %w permutation [0, 2, 1] : tensor<2x4x4x!snn.graded<0, 16>> -> tensor<2x4x4x!snn.graded<0, 16>>
    %q = snn.pad %t low [0, 0, 0] high [0, 0, 1] : tensor<2x4x4x!snn.graded<0, 16>> -> tensor<2x4x5x!snn.graded<0, 16>>
    %h = snn.reshape %q : tensor<2x4x5x!snn.graded<0, 16>> -> tensor<8x5x!snn.graded<0, 16>>
    %l = snn.linear %h weight(dense<1> : tensor<4x5xi8>) : tensor<8x5x!snn.graded<0, 16>> -> tensor<8x4xi32>
    %r = snn.reshape %l : tensor<8x4xi32> -> tensor<2x4x4xi32>
    %a = snn.accumulate %r bias(dense<1000000000> : tensor<1xi32>) {nc.origin = "sum"} : (tensor<2x4x4xi32>) -> tensor<2x4x4xi32>
    snn.output %a : tensor<2x4x4xi32>
  } : (tensor<2x4x4xi32>) -> (tensor<2x4x4xi32>)
  func.return %y : tensor<2x4x4xi32>
}

// CHECK: the network cannot be said in NIR:
// CHECK: `snn.integrate_and_fire`{{.*}}: NIR has spikes of one kind, one per step. Use code="unary" or code="free".
// CHECK: `snn.integrate_and_fire`{{.*}}: NIR has neither rest after a spike nor a lower bound
// CHECK: `snn.integrate_and_fire`{{.*}}: NIR has no cap on the number of spikes
// CHECK: `snn.integrate_and_fire`{{.*}}: a reset by subtraction and a leak cannot be said together exactly
// CHECK: `snn.conv2d`{{.*}}: its kernel of 1 x 2 with padding [0, 0, 0, 0] is uneven
// CHECK: `snn.integrate_and_fire`{{.*}}: IF nodes have no firing window
// CHECK: `snn.running_max_pool2d`{{.*}}: NIR has nothing like it
// CHECK: `snn.max_pool2d`{{.*}}: NIR has no max pooling
// CHECK: `snn.sum_pool2d`{{.*}}: padding [0, 0, 0, 1] differs at the two ends
// CHECK: `snn.concat`{{.*}}: NIR has no concatenation
// CHECK: `snn.slice`{{.*}}: NIR has no such index map
// CHECK: `snn.transpose`{{.*}}: NIR has nothing like it
// CHECK: `snn.pad`{{.*}}: NIR has no such index map
// CHECK: `snn.linear`{{.*}}: NIR has matrix products of vectors alone
// CHECK: `snn.reshape`{{.*}}: NIR merges axes and does nothing else to them: (8, 4) becomes (2, 4, 4)
// CHECK: `snn.accumulate`{{.*}}: its membrane potential may lie anywhere in {{.*}}, and float32 is exact
