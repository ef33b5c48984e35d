# SPDX-License-Identifier: MIT
# One version for the library and the command; SOVERSION grows when a symbol goes.
VERSION := 0.1.0
SOVERSION := 0
