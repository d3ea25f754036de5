import ApusGraph
import ArgumentParser

/// What `body` gives. An error of it is one of the command line: wrong usage, not an input that cannot be used.
@discardableResult
public func asUsage<R>(_ body: () throws -> R) throws -> R {
    do { return try body() } catch let error as ApusError { throw ValidationError(error.message) }
}
