// RUN: nc-opt %s -p 'quantize-activations{timesteps=4}' --validate | filecheck %s

// A layer with `nc.levels` keeps that number of levels; a concatenation holds both, each column with its own scale.

func.func @main(%arg: tensor<1xui8>) -> tensor<1xf32> {
  %x = ann.input %arg mean(dense<0.0> : tensor<1xf32>) std(dense<1.0> : tensor<1xf32>) : tensor<1xui8> -> tensor<1xf32>
  %0 = ann.linear %x weight(dense<255.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %1 = ann.neuron %0 {nc.clip = dense<4.0> : tensor<1xf32>} : (tensor<1xf32>) -> tensor<1xf32>
  %2 = ann.neuron %0 {nc.clip = dense<4.0> : tensor<1xf32>, nc.levels = 2 : i64} : (tensor<1xf32>) -> tensor<1xf32>
  %3 = ann.concat %1, %2 axis 0 : (tensor<1xf32>, tensor<1xf32>) -> tensor<2xf32>
  %4 = ann.linear %3 weight(dense<1.0> : tensor<1x2xf32>) : tensor<2xf32> -> tensor<1xf32>
  func.return %4 : tensor<1xf32>
}

// CHECK: ann.staircase {{.*}} levels 4
// CHECK: ann.staircase {{.*}} levels 2
// CHECK: ann.concat {{.*}} -> tensor<2x!ann.count<0, 4>>
// CHECK: weight(dense<{{\[\[}}1.000000e+00, 2.000000e+00]]> : tensor<1x2xf32>)
