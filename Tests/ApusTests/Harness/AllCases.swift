/// Every operator's cases; an operator of the table without a case fails `testEveryOperatorHasCases`.
let allCases: [OperatorCase] = [
    denseCases,
    matMulCases,
    batchNormCases,
    layerNormCases,
    reshapeCases,
    transposeCases,
    concatCases,
    sliceCases,
    padCases,
    expandCases,
    reduceCases,
    argCases,
    gatherCases,
].flatMap { $0 }
