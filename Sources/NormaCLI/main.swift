import Norma

print(Tensor.ones(1))
