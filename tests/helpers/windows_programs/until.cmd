@echo off
:look
if exist "%~1" exit /b 0
ping -n 2 127.0.0.1 >nul
goto look
