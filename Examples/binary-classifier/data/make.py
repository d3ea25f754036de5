"""Writes breast-cancer.csv from scikit-learn's load_breast_cancer: python3 make.py (needs scikit-learn)."""
from sklearn.datasets import load_breast_cancer

cancer = load_breast_cancer()
names = [name.removeprefix("mean ").replace(" ", "_") for name in cancer.feature_names[:10]]

with open("breast-cancer.csv", "w") as file:
    print(*names, "malignant", sep=",", file=file)
    for row, target in zip(cancer.data, cancer.target):
        print(*(f"{value:.6g}" for value in row[:10]), int(cancer.target_names[target] == "malignant"), sep=",", file=file)
