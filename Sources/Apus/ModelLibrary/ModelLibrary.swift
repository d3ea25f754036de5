/// Networks of the examples, by name. All classifiers end in logits: train them with a loss `fromLogits`.
public enum ModelLibrary {}
