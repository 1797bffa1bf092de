// RUN: nc-opt %s | nc-opt | filecheck %s

// A network of spike trains: time is the first axis of what comes in and goes out; a delay closes a cycle.

func.func @main(%events: tensor<?x2xf32>) -> (tensor<?x2x!snn.spikes<0, 1>>, tensor<?x2xf32>) {
  %y, %v = snn.network code "train" inputs(%events) {
  ^bb0(%x: tensor<?x2xf32>):
    %i = snn.input %x code "spikes" : tensor<?x2xf32> -> tensor<2xf32>
    %b = snn.delay %r steps 1 : tensor<2xf32> -> tensor<2xf32>
    %a = snn.add %i, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    %s = snn.threshold %a threshold(dense<0.5> : tensor<1xf32>) strict true : tensor<2xf32> -> tensor<2x!snn.spikes<0, 1>>
    %r = snn.linear %s weight(dense<[[0.0, 1.0], [1.0, 0.0]]> : tensor<2x2xf32>) : tensor<2x!snn.spikes<0, 1>> -> tensor<2xf32>
    %l = snn.delay %r steps 0 extra(dense<[0, 3]> : tensor<2xi32>) : tensor<2xf32> -> tensor<2xf32>
    %m = snn.accumulate %l membrane_decay(dense<0.5> : tensor<1xf32>) current_decay(dense<0.25> : tensor<1xf32>) : (tensor<2xf32>) -> tensor<2xf32>
    snn.output %s, %m : tensor<2x!snn.spikes<0, 1>>, tensor<2xf32>
  } : (tensor<?x2xf32>) -> (tensor<?x2x!snn.spikes<0, 1>>, tensor<?x2xf32>)
  func.return %y, %v : tensor<?x2x!snn.spikes<0, 1>>, tensor<?x2xf32>
}

// CHECK: snn.network code "train" inputs(
// CHECK: snn.input %{{.*}} code "spikes" : tensor<?x2xf32> -> tensor<2xf32>
// CHECK: %[[BACK:.*]] = snn.delay %[[R:.*]] steps 1
// CHECK: %[[SUM:.*]] = snn.add %{{.*}}, %[[BACK]] :
// CHECK: snn.threshold %[[SUM]] threshold({{.*}}) strict true
// CHECK: %[[R]] = snn.linear
// CHECK: snn.delay %[[R]] steps 0 extra({{.*}})
// CHECK: snn.accumulate %{{.*}} membrane_decay({{.*}}) current_decay({{.*}})
