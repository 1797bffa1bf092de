// RUN: not nc-opt %s -p quantize-weights 2>&1 | filecheck %s

// A sum of products of counts could leave the membrane, too: 4096 times 1023 times 1023.

func.func @main(%x: tensor<1x4096x!ann.count<-1023, 1023>>, %y: tensor<4096x1x!ann.count<-1023, 1023>>) -> tensor<1x1x!ann.count<-3, 3>> {
  %0 = ann.matrix_product %x, %y : (tensor<1x4096x!ann.count<-1023, 1023>>, tensor<4096x1x!ann.count<-1023, 1023>>) -> tensor<1x1xi32>
  %1 = ann.lookup %0 threshold(dense<1.0> : tensor<1xf32>) initial(dense<0.5> : tensor<1xf32>) clip -3 to 3 scale(dense<1.0> : tensor<1xf64>) : (tensor<1x1xi32>) -> tensor<1x1x!ann.count<-3, 3>> loc("scores"("model.py":1:0))
  func.return %1 : tensor<1x1x!ann.count<-3, 3>>
}

// CHECK: `ann.lookup` (scores, model.py:1): its membrane could reach 4.29e+09, beyond 32 bits. Use fewer timesteps.
