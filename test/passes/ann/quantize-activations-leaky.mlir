// RUN: nc-opt %s -p 'quantize-activations{timesteps=4}' | filecheck %s

// A leaky rectifier scales with its input: one table serves channels of different ranges, 2 and 8, each in its own unit,
// a 512th of its range for the charge and a quarter for what it says. The table reaches as far as the charges in units
// of any channel, -4/2 and 8/8, times 512.

func.func @main(%p: tensor<1xui8>) -> tensor<2xf32> {
  %x = ann.input %p mean(dense<0.0> : tensor<1xf32>) std(dense<1.0> : tensor<1xf32>) : tensor<1xui8> -> tensor<1xf32>
  %0 = ann.linear %x weight(dense<255.0> : tensor<2x1xf32>) : tensor<1xf32> -> tensor<2xf32>
  %1 = ann.relay %0 {nc.statistics = {minimum = dense<[-4.0, 0.0]> : tensor<2xf32>, maximum = dense<[2.0, 8.0]> : tensor<2xf32>, mean = dense<0.0> : tensor<2xf32>, variance = dense<1.0> : tensor<2xf32>, edges = dense<[[-4.0, 2.0], [0.0, 8.0]]> : tensor<2x2xf32>, histogram = dense<1> : tensor<2x2048xi32>}} : (tensor<2xf32>) -> tensor<2xf32>
  %2 = ann.leaky_relu %1 slope 0.5 : f64 {nc.clip = dense<[2.0, 8.0]> : tensor<2xf32>} : tensor<2xf32> -> tensor<2xf32>
  func.return %2 : tensor<2xf32>
}

// CHECK: ann.lookup %{{.*}} threshold(dense<[3.906250e-03, 1.562500e-02]> : tensor<2xf32>) initial(dense<0.000000e+00> : tensor<1xf32>) clip -1024 to 511 table({{.*}} : tensor<1536xi32>) scale(dense<[5.000000e-01, 2.000000e+00]> : tensor<2xf64>) : (tensor<2xf32>) -> tensor<2x!ann.count<-4, 4>>
