// RUN: nc-opt %s -p 'convert-snn-to-nir{form="compatible"}' 2>&1 | filecheck %s

// IF nodes, which reset to a value: a warning says what that changes. A factor per channel is a kernel of 1 x 1; of the
// readout the current is left, which whoever reads it adds up.

func.func @main(%x: tensor<2x1x1x!ann.count<-8, 7>>) -> tensor<1xi32> {
  %y = snn.network code "free" steps 4 inputs(%x) {
  ^bb0(%i: tensor<2x1x1x!ann.count<-8, 7>>):
    %p = snn.input %i code "current" : tensor<2x1x1x!ann.count<-8, 7>> -> tensor<2x1x1x!snn.graded<-8, 7>>
    %c = snn.diagonal %p weight(dense<[[[2]], [[3]]]> : tensor<2x1x1xi8>) : tensor<2x1x1x!snn.graded<-8, 7>> -> tensor<2x1x1xi32>
    %s = snn.integrate_and_fire %c threshold(dense<10> : tensor<1xi32>) levels 4 : (tensor<2x1x1xi32>) -> tensor<2x1x1x!snn.spikes<0, 4>>
    %f = snn.reshape %s : tensor<2x1x1x!snn.spikes<0, 4>> -> tensor<2x!snn.spikes<0, 4>>
    %d = snn.linear %f weight(dense<5> : tensor<1x2xi8>) : tensor<2x!snn.spikes<0, 4>> -> tensor<1xi32>
    %a = snn.accumulate %d bias(dense<7> : tensor<1xi32>) : (tensor<1xi32>) -> tensor<1xi32>
    snn.output %a : tensor<1xi32>
  } : (tensor<2x1x1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
  func.return %y : tensor<1xi32>
}

// CHECK-DAG: warning: NIR's IF nodes reset to a value
// CHECK-DAG: nir.conv2d "diagonal"(%{{.*}}) weight(dense<{{\[\[\[\[}}2.000000e+00]], {{\[\[}}0.000000e+00]]], {{\[\[\[}}0.000000e+00]], {{\[\[}}3.000000e+00]]]]>
// CHECK-DAG: nir.if "integrate_and_fire"(%{{.*}}) r(dense<1.000000e+00> : tensor<1xf32>) v_threshold(dense<9.500000e+00> : tensor<1xf32>) v_reset(dense<0.000000e+00> : tensor<1xf32>)
// CHECK-DAG: nir.flatten "reshape"(%{{.*}}) 0 to -1
// CHECK-DAG: %[[D:.*]] = nir.affine "linear"(%{{.*}}) weight({{.*}}) bias(dense<7.000000e+00> : tensor<1xf32>)
// CHECK-DAG: nir.output %[[D]] "sum" : tensor<1xf32>
