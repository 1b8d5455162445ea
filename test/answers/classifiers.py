"""Small classifiers of scikit-learn on the data sets that it brings."""

import numpy as np
from sklearn import datasets
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from changes import flattened
from kit import Exam
from tables import SOURCE, Split, exported, labelled, unlabelled


def classifier(exam, data, *, quantised=True):
    unlabelled(exam, data, quantised=quantised)
    exam.change("scores flattened", "rolledBack", file=exam.save("flattened", flattened(data, "probabilities", 0.6)))


def digits(root):
    x, y = datasets.load_digits(return_X_y=True)
    split = Split(x / 16, y)
    ink = np.where(split.x.mean(axis=1) > np.median(split.x.mean(axis=1)), "much", "little")
    exam = Exam(root, "digits", half="choose", task="image-classification", kind="classifier", **SOURCE)

    def fit(rows, labels=split.y):
        network = MLPClassifier((32,), max_iter=400, random_state=1)
        return exported(network.fit(split.x[rows], labels[rows]), split.x, True)

    # The data of one slice were labelled carelessly.
    careless = np.where((ink == "little") & np.isin(split.y, (1, 4, 7)), 9, split.y)

    train = np.arange(len(x) // 2)
    stable = fit(train[:600])
    exam.requests("stable", X=split.x[split.test])
    exam.requests("other-scale", X=split.x[split.test] / 4)
    exam.truth(split.y[split.test], "ink", ink[split.test])
    classifier(exam, stable)
    exam.change("pixels divided twice", "rolledBack", set="other-scale")
    labelled(
        exam,
        better=(fit(train), "promoted"),
        worse=(fit(train[:80]), "rolledBack"),
        worse_in_a_slice=(fit(train, careless), "rolledBack"),
    )
    exam.write()


def cancer(root):
    """Answers with strings; the probabilities are a tensor, as ZipMap is off."""
    bunch = datasets.load_breast_cancer()
    split = Split(bunch.data, bunch.target_names[bunch.target].astype(str))
    size = np.where(split.x[:, 0] > np.median(split.x[:, 0]), "large", "small")
    exam = Exam(root, "cancer", half="verify", task="tabular-classification", kind="classifier",
                labels=["benign", "malignant"], **SOURCE)

    def fit(rows, noise=0.0):
        labels = split.y[rows].copy()
        wrong = np.random.default_rng(3).random(len(labels)) < noise
        labels[wrong] = np.where(labels[wrong] == "benign", "malignant", "benign")
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
        return exported(model.fit(split.x[rows], labels), split.x, True)

    train = np.arange(len(split.x) // 2)
    stable = fit(train[:60])
    exam.requests("stable", X=split.x[split.test])
    exam.requests("other-unit", X=split.x[split.test] * np.where(np.arange(30) == 3, 0.1, 1).astype(np.float32))
    exam.truth(split.y[split.test], "size", size[split.test])
    classifier(exam, stable, quantised=False)
    exam.change("one column in another unit", "rolledBack", set="other-unit")
    labelled(
        exam,
        better=(fit(train), "promoted"),
        worse=(fit(train[:40], noise=0.4), "rolledBack"),
    )
    exam.write()


def wine(root):
    bunch = datasets.load_wine()
    split = Split(bunch.data, bunch.target)
    exam = Exam(root, "wine-boosted", half="choose", task="tabular-classification", kind="boosted trees", **SOURCE)

    def fit(rows, trees):
        model = GradientBoostingClassifier(n_estimators=trees, max_depth=2, random_state=0)
        return exported(model.fit(split.x[rows], split.y[rows]), split.x, True)

    train = np.arange(len(split.x) // 2)
    stable = fit(train[:45], 40)
    exam.requests("stable", X=split.x[split.test])
    exam.requests("other-unit", X=split.x[split.test] * np.where(np.arange(13) == 12, 0.1, 1).astype(np.float32))
    exam.truth(split.y[split.test])
    classifier(exam, stable, quantised=False)
    exam.change("one column in another unit", "rolledBack", set="other-unit")
    labelled(exam, better=(fit(train, 60), "promoted"), worse=(fit(train[:12], 2), "rolledBack"))
    exam.write()


CLASSIFIERS = {
    "digits": digits,
    "cancer": cancer,
    "wine-boosted": wine,
}
