// Signatures of Apus name types of these modules (`ApusError`, `DType`, `Value`, `Model`, `Session`), so `import Apus` brings them
// too. Where both have a name, such as `Dense`, it is that of Apus; the operator is `ApusGraph.Dense`.
@_exported import ApusGraph
@_exported import ApusRuntime
