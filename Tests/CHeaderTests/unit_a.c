/* The header on its own, first and twice. Compiled as C and as C++. */
#include <apus.h>
#include <apus.h>
#if defined(__cplusplus)
#include <apus.hpp>
#include <apus.hpp>
#endif

size_t other_unit_layout(void);
size_t this_unit_layout(void);

size_t this_unit_layout(void) {
    return sizeof(apus_error) + 31 * sizeof(apus_tensor_info) + 37 * sizeof(apus_session_options) +
           41 * offsetof(apus_session_options, profile) + 43 * sizeof(apus_profile_entry) +
           47 * sizeof(apus_dimension_info) + 53 * sizeof(apus_dimension_limit) + 59 * sizeof(apus_status) +
           61 * sizeof(apus_dtype) + 67 * offsetof(apus_tensor_info, byte_size);
}

int main(void) { return this_unit_layout() == other_unit_layout() ? 0 : 1; }
