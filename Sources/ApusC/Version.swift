import CApus
import ApusRuntime
