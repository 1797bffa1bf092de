// RUN: nc-opt %s -p 'quantize-activations{timesteps=3 initial=0}' | filecheck %s
// RUN: not nc-opt %s -p 'quantize-activations{initial=1}' 2>&1 | filecheck %s --check-prefix WRONG

// A membrane that starts at zero rounds down.

func.func @main(%p: tensor<1xui8>) -> tensor<1xf32> {
  %x = ann.input %p mean(dense<0.0> : tensor<1xf32>) std(dense<1.0> : tensor<1xf32>) : tensor<1xui8> -> tensor<1xf32>
  %0 = ann.diagonal %x weight(dense<255.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %y = ann.neuron %0 {nc.clip = dense<3.0> : tensor<1xf32>} : (tensor<1xf32>) -> tensor<1xf32>
  func.return %y : tensor<1xf32>
}

// CHECK: threshold(dense<1.000000e+00> : tensor<1xf32>) initial(dense<0.000000e+00> : tensor<1xf32>)
// WRONG: quantize-activations: initial must be at least 0 and below 1, not 1
