"""Small regressors of scikit-learn, on its diabetes data set: linear, boosted trees, a network."""

import numpy as np
from sklearn import datasets
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from changes import scaled
from kit import Exam
from tables import SOURCE, Split, exported, labelled, unlabelled


def diabetes(root, name, half, build):
    x, y = datasets.load_diabetes(return_X_y=True, scaled=False)
    split = Split(x, y.astype(np.float32))
    sex = np.where(split.x[:, 1] > 1.5, "two", "one")
    exam = Exam(root, name, half=half, task="tabular-regression", kind="regressor",
                compare={"scale": 150}, **SOURCE)

    def fit(rows, size, targets=lambda y: y):
        return exported(build(size).fit(split.x[rows], targets(split.y[rows])), split.x, False)

    train = np.arange(len(split.x) // 2)
    stable = fit(train[:60], 1)
    exam.requests("stable", X=split.x[split.test])
    exam.requests("other-unit", X=split.x[split.test] * np.where(np.arange(10) == 2, 0.45, 1).astype(np.float32))
    exam.truth(split.y[split.test], "sex", sex[split.test])
    unlabelled(exam, stable, quantised=name.endswith("network"))
    exam.change("output scaled", "rolledBack", file=exam.save("scaled", scaled(stable, "variable", 1.05)))
    exam.change("one column in another unit", "rolledBack", set="other-unit")
    labelled(
        exam,
        better=(fit(train, 2), "promoted"),
        worse=(fit(train, 1, shuffled), "rolledBack"),
        worse_in_a_slice=(fit(train, 2, lambda y: np.where(sex[train] == "one", y, y + 80)), "rolledBack"),
    )
    exam.write()


def shuffled(targets):
    """Learns nothing but the mean."""
    return np.random.default_rng(1).permutation(targets)


def boosted(size):
    return GradientBoostingRegressor(n_estimators=30 * size, max_depth=2, learning_rate=0.1, random_state=0)


def ridge(size):
    return make_pipeline(StandardScaler(), Ridge(10))


def network(size):
    return make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(16,), alpha=10, max_iter=3_000, random_state=0))


REGRESSORS = {
    "diabetes-boosted": lambda root: diabetes(root, "diabetes-boosted", "verify", boosted),
    "diabetes-ridge": lambda root: diabetes(root, "diabetes-ridge", "choose", ridge),
    "diabetes-network": lambda root: diabetes(root, "diabetes-network", "verify", network),
}
