"""The losses, a file a family."""

from tinynets.losses.base import Elementwise, Loss, LossBuffers
from tinynets.losses.classification import BinaryCrossEntropy, CrossEntropy, Hinge, Perceptron
from tinynets.losses.custom import FunctionLoss, function_loss
from tinynets.losses.kohonen import Kohonen, grid_squares
from tinynets.losses.registry import LOSSES, as_loss, is_registered, loss_from
from tinynets.losses.regression import MAE, MSE, Huber

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
