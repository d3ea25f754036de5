import CSystem

/// The processors this process may use, by affinity and quota.
public enum Processors {
    public static var count: Int { cs_processor_count() }
}
