// Reads a text in the language of Power Query; what is none is an error. Nothing that runs it is free of Windows.
import { readFileSync } from 'node:fs';
import { DefaultSettings, TaskUtils } from '@microsoft/powerquery-parser';

const task = await TaskUtils.tryLexParse(DefaultSettings, readFileSync(process.argv[2], 'utf8'));
if (!TaskUtils.isParseStageOk(task)) throw task.error;
