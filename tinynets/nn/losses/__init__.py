"""The losses, one file for each family."""

from tinynets.nn.losses.base import Elementwise, Loss, LossBuffers
from tinynets.nn.losses.classification import BinaryCrossEntropy, CrossEntropy, Hinge, Perceptron
from tinynets.nn.losses.custom import FunctionLoss, function_loss
from tinynets.nn.losses.kohonen import Kohonen, grid_squares
from tinynets.nn.losses.registry import LOSSES, as_loss, is_registered, loss_from
from tinynets.nn.losses.regression import MAE, MSE, Huber

__all__ = [
    "LOSSES",
    "MAE",
    "MSE",
    "BinaryCrossEntropy",
    "CrossEntropy",
    "Elementwise",
    "FunctionLoss",
    "Hinge",
    "Huber",
    "Kohonen",
    "Loss",
    "LossBuffers",
    "Perceptron",
    "as_loss",
    "function_loss",
    "grid_squares",
    "is_registered",
    "loss_from",
]
