// RUN: nc-opt %s -p 'quantize-activations{timesteps=3}' | filecheck %s

// The table of a function covers the charges seen, -2 ... 2, in 1024 steps of 1/256. It says clamp(x, -1, 4) in thirds of
// the range 3: integers from -1 to 2. The relay is gone, its bias is there from the start.

func.func @main(%p: tensor<1xui8>) -> tensor<1xf32> {
  %x = ann.input %p mean(dense<0.0> : tensor<1xf32>) std(dense<1.0> : tensor<1xf32>) : tensor<1xui8> -> tensor<1xf32>
  %0 = ann.linear %x weight(dense<255.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
  %1 = ann.relay %0 bias(dense<-0.5> : tensor<1xf32>) {nc.statistics = {minimum = dense<-2.0> : tensor<1xf32>, maximum = dense<2.0> : tensor<1xf32>, mean = dense<0.0> : tensor<1xf32>, variance = dense<1.0> : tensor<1xf32>, edges = dense<[[-2.0, 2.0]]> : tensor<1x2xf32>, histogram = dense<1> : tensor<1x2048xi32>}} : (tensor<1xf32>) -> tensor<1xf32>
  %2 = ann.clamp %1 minimum -1.0 : f64 maximum 4.0 : f64 {nc.clip = dense<3.0> : tensor<1xf32>} : tensor<1xf32> -> tensor<1xf32>
  %3 = ann.linear %2 weight(dense<5.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
  func.return %3 : tensor<1xf32>
}

// CHECK-NOT:  ann.relay
// CHECK-NOT:  ann.clamp
// CHECK:      ann.lookup %{{.*}} threshold(dense<3.906250e-03> : tensor<1xf32>) initial(dense<-5.000000e-01> : tensor<1xf32>) clip -512 to 511 table(dense_resource<table_{{.*}}> : tensor<1024xi32>) scale(dense<1.000000e+00> : tensor<1xf64>) : (tensor<1xf32>) -> tensor<1x!ann.count<-1, 2>>
// CHECK-NEXT: ann.linear %{{.*}} weight(dense<5.000000e+00> : tensor<1x1xf32>)
