/* Built with longer structs, but uses nothing of what was added: it loads. */
#include "sound.h"

MOCK("zero-tail", plugin->struct_size = sizeof sound)
