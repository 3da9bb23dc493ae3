/** Words of tables of any kind. */
export const tableTexts = {
  columns: 'Columns',
} as const;
