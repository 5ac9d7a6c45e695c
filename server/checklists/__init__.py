"""Checklists are data: what a volunteer looks at, in which order, and when an answer counts.

`check` decides (pure; `pwa/src/core/checklist.ts` decides the same, held to the same vectors), `library/`
holds the first six, each item with its source. A checklist is a `checklist` document in `commune`; a new
version is a new document, and an inspection keeps the version that it was made with.
"""
