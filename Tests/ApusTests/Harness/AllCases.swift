/// Every operator's cases; an operator of the table without a case fails `testEveryOperatorHasCases`.
let allCases: [OperatorCase] = [
    denseCases,
    matMulCases,
].flatMap { $0 }
