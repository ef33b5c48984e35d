/* SPDX-License-Identifier: GPL-2.0-only */
/* The machine descriptions, as strings. */

.macro machine name, file
	.global machine_\name
machine_\name:
	.incbin "\file"
	.byte 0
.endm

	.section .rodata
	machine dgx_a100, "machines/dgx-a100.fabric"
	machine epyc, "machines/epyc-root-complexes.fabric"
	machine icelake, "machines/icelake-8gpu.fabric"
	machine offset, "machines/offset.fabric"
	machine skylake, "machines/skylake-two-socket.fabric"
	machine vmd, "machines/vmd.fabric"
	machine workstation, "machines/workstation.fabric"
	machine xeon_e5, "machines/xeon-e5-two-socket.fabric"

	.section .note.GNU-stack, "", %progbits
