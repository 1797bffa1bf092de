// RUN: not nc-opt %s -p 'convert-snn-to-nir{form="compatible"}' 2>&1 | filecheck %s

// What readers of the compatible file do not know is refused.

func.func @main(%x: tensor<2x2x2x!ann.count<-8, 7>>) -> tensor<2x2x2xi32> {
  %y = snn.network code "free" steps 4 inputs(%x) {
  ^bb0(%i: tensor<2x2x2x!ann.count<-8, 7>>):
    %p = snn.input %i code "current" : tensor<2x2x2x!ann.count<-8, 7>> -> tensor<2x2x2x!snn.graded<-8, 7>>
    %c = snn.diagonal %p weight(dense<[[2, 3]]> : tensor<1x2xi8>) : tensor<2x2x2x!snn.graded<-8, 7>> -> tensor<2x2x2xi32>
    %s = snn.integrate_and_fire %c threshold(dense<10> : tensor<1xi32>) initial(dense<5> : tensor<1xi32>) levels 4 fire [1, 4] : (tensor<2x2x2xi32>) -> tensor<2x2x2x!snn.spikes<0, 4>>
    %m = snn.max_pool2d %s kernel [1, 1] : tensor<2x2x2x!snn.spikes<0, 4>> -> tensor<2x2x2x!snn.spikes<0, 4>>
    %d = snn.delay %m steps 1 : tensor<2x2x2x!snn.spikes<0, 4>> -> tensor<2x2x2x!snn.spikes<0, 4>>
    %q = snn.sum_pool2d %d kernel [3, 3] padding [1, 1, 1, 1] : tensor<2x2x2x!snn.spikes<0, 4>> -> tensor<2x2x2x!snn.graded<0, 36>>
    %e = snn.diagonal %q weight(dense<1> : tensor<1xi8>) : tensor<2x2x2x!snn.graded<0, 36>> -> tensor<2x2x2xi32>
    %a = snn.accumulate %e, %c initial(dense<1> : tensor<1xi32>) : (tensor<2x2x2xi32>, tensor<2x2x2xi32>) -> tensor<2x2x2xi32>
    snn.output %a : tensor<2x2x2xi32>
  } : (tensor<2x2x2x!ann.count<-8, 7>>) -> (tensor<2x2x2xi32>)
  func.return %y : tensor<2x2x2xi32>
}

// CHECK: `snn.delay`{{.*}}: readers of the compatible file have no delays. Use target "nir:exact".
// CHECK: `snn.diagonal`{{.*}}: readers of the compatible file have no factors per element
// CHECK: `snn.integrate_and_fire`{{.*}}: IF nodes have no firing window
// CHECK: `snn.integrate_and_fire`{{.*}}: IF nodes start at 0. Use Conversion(initial=0)
// CHECK: `snn.max_pool2d`{{.*}}: NIR has no max pooling
// CHECK: `snn.sum_pool2d`{{.*}}: readers of NIR ignore the padding of a sum pooling
// CHECK: `snn.accumulate`{{.*}}: readers of the compatible file have no readout that starts at a value or leaks
// CHECK: `snn.output`{{.*}}: readers of the compatible file add up nothing at an output
